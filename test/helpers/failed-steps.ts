import {rejects} from 'node:assert/strict';
import type {Model} from '../../lib/net/model.ts';
import {queueFailure} from './queue-work.ts';

/**
 * Makes steps that fail on the queue, on each device in turn. A device's queue takes other operations than the net's, too.
 * When one has failed, a step that is queued behind it is skipped there, and on the other device it fails in its midst,
 * where it waits for the first one's column.
 */
export async function failSteps(
	model: Model,
	batch: {images: Uint8Array; labels: Int32Array},
	steps: number,
): Promise<void> {
	const parts = model.parameters.flatMap((parameter) => parameter.parts);
	const devices = model.devices.map((id) => parts.find(({device}) => device === id)!.memory.device);
	for (let count = 0; count < steps; ++count) {
		queueFailure(devices[count % devices.length]!);
		const step = model.trainStep(batch);
		await rejects(step, {code: 'ALEXNET_LABEL', message: /^softmaxLoss: label 7 of picture 0/});
	}
}
