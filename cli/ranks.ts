// `train` as one of several processes that mpirun or srun has started: rank 0 speaks and writes for all.
import {availableParallelism, cpus} from 'node:os';
import type {Command} from 'commander';
import {AlexNetError} from '../lib/base/errors.ts';
import {AlexNet, type ImageFolder, type TrainOptions} from '../lib/index.ts';
import {launched} from '../lib/mpi/launch.ts';
import {mpiGroup, type MpiGroup} from '../lib/mpi/mpi-group.ts';
import {exchange, fromFirst, isAgreed} from '../lib/training/together.ts';
import {exitCodeOf, exitCodes} from './exit-codes.ts';
import type {OpenedRun, RunNetOptions} from './open-run.ts';

/**
 * Runs a command on all ranks, or on its own where this process is alone.
 *
 * @throws what the work throws; of ranks but the first nothing, as rank 0 says it.
 */
export async function withRanks(work: (group: MpiGroup | undefined) => Promise<void>): Promise<void> {
	if (!launched()) return work(undefined);
	const group = await mpiGroup();
	try {
		await work(group);
	} catch (error) {
		if (isAgreed(error)) await group.close();
		else group.fail(error); // the end of the process ends all others
		if (group.rank === 0) throw error;
		if (group.hasFailed) process.exitCode = exitCodeOf(error);
		return;
	}
	await group.close().catch((error: unknown) => {
		if (group.rank === 0) throw error;
		process.exitCode = exitCodes.failed;
	});
}

/** What the first rank's work gives, on all. */
export async function ofFirst<T>(group: MpiGroup | undefined, work: () => Promise<T>): Promise<T> {
	return group ? fromFirst(group, work) : work();
}

/** What each rank's own work gives; where it fails on any, it fails on all. */
export async function onAll<T>(group: MpiGroup | undefined, work: () => T | Promise<T>): Promise<T> {
	const own: {result?: T} = {};
	if (!group) return work();
	await exchange(group, async () => {
		own.result = await work();
		return true;
	});
	return own.result as T;
}

/** Options in which ranks must agree; which device is their own affair. */
export function differing(options: object): Readonly<Record<string, unknown>> {
	return Object.fromEntries(Object.entries(options).filter(([name]) => name !== 'device' && name !== 'threads'));
}

/**
 * The options with the batch of all ranks, where the command line tells each one's.
 *
 * @throws ALEXNET_ARGUMENT where it tells both.
 */
export function withGlobalBatch<T extends {batchSizePerRank?: number}>(
	command: Command,
	options: T,
	group: MpiGroup | undefined,
): T {
	const {batchSizePerRank} = options;
	if (batchSizePerRank === undefined) return options;
	if (command.getOptionValueSource('batchSize') === 'cli') {
		throw new AlexNetError('ALEXNET_ARGUMENT', 'Leave out one of --batch-size and --batch-size-per-rank.');
	}
	const batchSize = batchSizePerRank * (group?.size ?? 1);
	command.setOptionValueWithSource('batchSize', batchSize, 'cli');
	return {...options, batchSize};
}

/** A rank's devices, and its share of the machine's cores where mpirun has not bound it to some. */
export function placeOf(
	group: MpiGroup,
	{device, threads}: {device: string; threads?: number | undefined},
): Pick<RunNetOptions, 'devices' | 'threads' | 'group'> {
	const ids = device.split(',');
	const own = ids.map((id, index) => (id === 'cuda' ? `cuda:${group.localRank * ids.length + index}` : id));
	const fair = Math.max(1, Math.floor(cpus().length / group.localSize));
	const share = own.every((id) => id.startsWith('cpu')) ? Math.min(availableParallelism(), fair) : undefined;
	return {devices: own, threads: threads ?? share, group};
}

/** Opens the run on rank 0, and tells the others what net it is of. */
export async function leadWith(group: MpiGroup, open: () => Promise<OpenedRun>): Promise<OpenedRun> {
	const opened: {run?: OpenedRun} = {};
	try {
		await fromFirst(group, async () => {
			opened.run = await open();
			const {architecture, labels, precision, wire, batchSize, seed, pcaScale, frozen, sgd} = opened.run.model;
			return {architecture, labels, precision, wire, batchSize, seed, pcaScale, freeze: frozen, ...sgd};
		});
		await exchange(group, () => true); // the others have their nets
	} catch (error) {
		await opened.run?.model.dispose();
		await opened.run?.run.discard();
		throw error;
	}
	if (!opened.run) throw new Error('Rank 0 opens the run.');
	return opened.run;
}

/** What a rank other than the first does: the same training, of which it says and keeps nothing. */
export async function follow(
	group: MpiGroup,
	{devices, threads}: RunNetOptions,
	{data, training, signal}: {data: ImageFolder; training: TrainOptions; signal: AbortSignal},
): Promise<void> {
	type Net = Parameters<typeof AlexNet.uninitialized>[0];
	const net = await fromFirst<Net>(group, () => {
		throw new Error('Rank 0 tells the net.');
	});
	await using model = await onAll(group, () => AlexNet.uninitialized({...net, devices, threads, group}));
	const validation = data.validation.size > 0 ? data.validation : undefined;
	const reports = model.train(data.train, {...training, validation, signal});
	while (!(await reports.next()).done);
}
