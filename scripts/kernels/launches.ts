// Which kernels the net's operations launch on each GPU of the tables, over which grids: asked of the addon itself, on
// simulated GPUs that list launches and run none.
import {execFile} from 'node:child_process';
import {existsSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import type {OperationFacts} from '../../benchmarks/kernel-facts.ts';
import {root} from '../../test/helpers/sources.ts';
import type {Target} from './compile.ts';
import type {ListedOperation} from './launch-list.ts';
import {readableNames} from './toolkit.ts';

/** @throws where `npm run build:simulated` has not made the simulated GPUs */
export async function launchesOn({computeCapability}: Target): Promise<OperationFacts[]> {
	if (!existsSync(join(root, 'build/Simulated/Release/alexnet.node'))) {
		throw new Error("There are no simulated GPUs, which list the launches. Run 'npm run build:simulated' first.");
	}
	const folder = mkdtempSync(join(tmpdir(), 'alexnet-launches-'));
	try {
		const list = join(folder, 'launches');
		writeFileSync(list, '');
		const program = join(root, 'scripts/kernels/launch-list.ts');
		const {stdout} = await promisify(execFile)(process.execPath, ['--import=tsx', program], {
			cwd: root,
			env: {
				...process.env,
				ALEXNET_SIMULATED_GPUS: '1',
				ALEXNET_SIMULATED_PROFILE: computeCapability.replace('.', ''),
				ALEXNET_SIMULATED_LAUNCHES: list,
				ALEXNET_SIMULATED_CHECKS: '0',
			},
			maxBuffer: 2 ** 26,
		});
		return named(JSON.parse(stdout) as ListedOperation[], computeCapability);
	} finally {
		rmSync(folder, {recursive: true});
	}
}

function named(listed: readonly ListedOperation[], computeCapability: string): OperationFacts[] {
	const names = readableNames([...new Set(listed.flatMap(({launches}) => launches.map(({kernel}) => kernel)))]);
	return listed.map(({launches, ...rest}) => ({
		...rest,
		computeCapability,
		launches: launches.map(({kernel, grid, threads, sharedBytes}) => {
			return {kernel: names.get(kernel) ?? kernel, grid, threads, sharedBytes};
		}),
	}));
}
