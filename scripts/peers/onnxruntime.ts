// ONNX Runtime, on the graph that this package exports; it does not train.
import {readFile} from 'node:fs/promises';
import {cpus} from 'node:os';
import {env, InferenceSession, Tensor} from 'onnxruntime-node';
import {answer} from './node-peer.ts';
import {files} from './work.ts';

await answer(async ({folder, batchSize, threads, tuned, work}) => {
	const {onnx, planes} = files(folder);
	const advised = {graphOptimizationLevel: 'all', executionMode: 'sequential', enableMemPattern: true} as const;
	const session = await InferenceSession.create(onnx, {
		...{logSeverityLevel: 3, intraOpNumThreads: threads, interOpNumThreads: 1},
		...(tuned ? advised : {}),
	});
	const values = new Float32Array(new Uint8Array(await readFile(planes)).buffer);
	const count = work === 'inference-1' ? 1 : batchSize;
	const side = Math.sqrt(values.length / batchSize / 3);
	const pictures = new Tensor('float32', values.subarray(0, count * 3 * side * side), [count, 3, side, side]);
	const run = async (): Promise<Float32Array> => {
		const {probabilities} = await session.run({pictures});
		return probabilities?.data as Float32Array;
	};
	return {
		version: env.versions.node ?? env.versions.common,
		settings: `${threads} of ${cpus().length} threads${tuned ? `, ${Object.entries(advised).map(String).join(' ')}` : ''}`,
		outputs: async () => {
			const probabilities = await run();
			return [...probabilities.subarray(0, probabilities.length / count)];
		},
		call: async () => {
			await run();
		},
	};
});
