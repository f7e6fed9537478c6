// The model against numbers that somebody measured: how far to trust the rest.
import {gpuNamed, type Gpu} from '../../benchmarks/gpus.ts';
import type {Facts, KernelFacts, LaunchFacts, OperationFacts} from '../../benchmarks/kernel-facts.ts';
import {modelOf} from '../../benchmarks/model.ts';
import {input, output, trial, type Product} from '../../benchmarks/operation.ts';
import {tileOf} from '../../benchmarks/tile.ts';
import {usesTensorCores} from './gates.ts';

export interface Check {
	readonly what: string;
	readonly unit: string;
	readonly modelled: number | undefined;
	readonly measured: number;
	readonly source: string;
}

export function checksOf(facts: Facts): Check[] {
	const [h100, h200] = [gpuNamed('H100'), gpuNamed('H200')];
	if (!h100 || !h200) throw new Error('benchmarks/gpus.ts has no H100, or no H200.');
	const copy = h200.dataSheet.gigabytesPerSecond * h200.assumed.memoryShare;
	const measuredHere = 'benchmarks/measured/nvidia-h200, this package';
	return [
		{what: 'a copy on an H200', unit: 'GB/s', modelled: copy, measured: 4177, source: measuredHere},
		{
			what: 'a product of 4096^3 in fp32 on FP32 units of an H200',
			unit: 'TFLOP/s',
			modelled: bestProduct(4096, facts, h200, ({kernel}) => kernel.includes('Tile<float')),
			measured: 35.2,
			source: measuredHere,
		},
		{
			what: 'a product of 4096^3 in bf16 on tensor cores of an H200',
			unit: 'TFLOP/s',
			modelled: bestProduct(4096, facts, h200, onTensorCores),
			measured: 454,
			source: measuredHere,
		},
		{
			what: 'a product of 2048^3 in bf16 through mma.sync on an H100',
			unit: 'TFLOP/s',
			modelled: bestProduct(2048, facts, h100, onTensorCores),
			measured: 494,
			source: "a published run of CUTLASS's Ampere-style example",
		},
	];
}

const onTensorCores = ({kernel}: KernelFacts): boolean => usesTensorCores(kernel) && kernel.includes('bfloat16');

/** In units of 10^12 a second, by the forward instance that is best at it; undefined where there is none. */
function bestProduct(
	size: number,
	facts: Facts,
	gpu: Gpu,
	suits: (kernel: KernelFacts) => boolean,
): number | undefined {
	const kernels = facts.kernels.filter((kernel) => {
		const isForward = kernel.kernel.includes('conv2dForward');
		return isForward && kernel.computeCapability === gpu.computeCapability && suits(kernel);
	});
	const rates = kernels.flatMap((kernel) => {
		const isFloat = !usesTensorCores(kernel.kernel);
		const product = {rows: size, columns: size, depth: size, groups: 1, elementBytes: isFloat ? 4 : 2};
		return launchesFor(kernel, product, facts).flatMap((launch) => {
			const operation: OperationFacts = {
				...{trial: '', precision: isFloat ? 'fp32' : 'bf16', batchSize: size, launches: [launch]},
				...{computeCapability: gpu.computeCapability, multiprocessors: gpu.dataSheet.multiprocessors},
			};
			const type = isFloat ? 'float32' : 'bfloat16';
			const shape = [size, size];
			const tensors = {input: input(shape, type), weights: input(shape, type), output: output(shape, type)};
			const time = modelOf(operation, facts, trial({name: '', product, tensors, run: () => undefined}), gpu);
			return time ? [(2 * size ** 3) / time.microseconds / 1e6] : [];
		});
	});
	return rates.length > 0 ? Math.max(...rates) : undefined;
}

/** A launch of the net with a grid for another product; block and shared memory stay. */
function launchesFor(kernel: KernelFacts, product: Product, facts: Facts): LaunchFacts[] {
	const tile = tileOf(kernel.kernel);
	const known = facts.operations
		.flatMap(({launches, computeCapability}) => (computeCapability === kernel.computeCapability ? launches : []))
		.find((launch) => launch.kernel === kernel.kernel);
	if (!known || !tile) return [];
	return [{...known, grid: [Math.ceil(product.rows / tile.rows), Math.ceil(product.columns / tile.columns), 1]}];
}
