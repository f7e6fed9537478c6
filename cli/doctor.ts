// What `alexnet doctor` looks at: whatever must be there to train here, and what to do about what is not.
import {existsSync} from 'node:fs';
import {delimiter, join, relative} from 'node:path';
import {messageOf} from '../lib/base/errors.ts';
import {packageRoot, packageVersion} from '../lib/base/package.ts';
import {listDevices} from '../lib/device/device.ts';
import {addonFile} from '../lib/device/native.ts';
import {mpiBuilds, type MpiBuild} from '../lib/mpi/builds.ts';
import {factsOf, type Facts} from '../lib/selftest/facts.ts';
import {describeCudaVersions, describeDevice} from './devices-in-words.ts';
import {gibibytes} from './format.ts';

export interface Diagnosis {
	/** Whether a net can be trained on some device here. */
	readonly canTrain: boolean;
	/** What is here, each with a word or two before it. */
	readonly findings: readonly (readonly [string, string])[];
	/** What to do about what is wrong, the most important first. */
	readonly advice: readonly string[];
	/** Of the machine and its devices; missing where the addon does not load. */
	readonly facts: Facts | undefined;
}

export async function diagnose(): Promise<Diagnosis> {
	const pictures = await decoder();
	const findings: [string, string][] = [
		['package', `alexnet-cuda ${packageVersion}, Node.js ${process.version}, ${process.platform} ${process.arch}`],
		['C library', cLibrary()],
		['pictures', pictures.found],
	];
	let facts: Facts;
	try {
		facts = factsOf(listDevices().map(({id}) => id));
	} catch (error) {
		findings.push(['addon', 'does not load']);
		return {canTrain: false, findings, advice: [...pictures.advice, messageOf(error)], facts: undefined};
	}
	const {cuda, devices, driver} = facts;
	findings.push(['addon', addon()]);
	findings.push(['CUDA', cuda.builtFor === '' ? 'this build has no CUDA part' : `built for ${cuda.builtFor}`]);
	const versions = describeCudaVersions(cuda);
	if (versions) findings.push(['', versions]);
	if (driver !== undefined) findings.push(['driver', driver]);
	for (const device of devices) {
		const {id, memoryBytes, freeBytes, peers, arithmetic, nativeBfloat16} = device;
		const free =
			freeBytes === undefined ? 'cannot be used' : `${gibibytes(freeBytes)} of ${gibibytes(memoryBytes)} free`;
		const reached = peers === undefined || peers.length === 0 ? [] : [`reaches the memory of ${peers.join(', ')}`];
		const how = [describeDevice(device), free, ...(arithmetic === undefined ? [] : [arithmetic]), ...reached];
		findings.push([id, `${how.join('; ')}; bf16 ${nativeBfloat16 ? 'in hardware' : 'emulated'}`]);
	}
	findings.push(...(await mpi()));
	const usable = devices.filter(({problem}) => problem === undefined);
	const canTrain = usable.length > 0 && pictures.advice.length === 0;
	return {canTrain, findings, advice: [...pictures.advice, ...adviceOf(facts)], facts};
}

/** What decodes pictures, and what to do where it does not load. */
async function decoder(): Promise<{found: string; advice: string[]}> {
	try {
		const {versions} = (await import('sharp')).default;
		return {found: `sharp ${versions.sharp}, libvips ${versions.vips}`, advice: []};
	} catch (error) {
		const [reason = ''] = messageOf(error).split('\n');
		const advice =
			`sharp, which decodes pictures, does not load: ${reason.replace(/[.:]$/, '')}. ` +
			`Install what it has for this system: 'npm install --include=optional sharp'.`;
		return {found: 'sharp does not load', advice: [advice]};
	}
}

function adviceOf({cuda, devices, driver}: Facts): string[] {
	const advice = devices.flatMap(({id, problem}) => (problem === undefined ? [] : [`${id}: ${problem}`]));
	advice.push(...devices.flatMap(({notes = []}) => notes));
	// Where there is neither a GPU's driver nor anybody who wants one, that is no fault.
	if (cuda.reason !== 'available' && driver !== undefined) advice.push(cuda.message);
	if (devices.every(({nativeBfloat16}) => !nativeBfloat16))
		advice.push('Train in fp32: bf16 is emulated here, and slow.');
	return advice;
}

/** What joins several ranks; nothing where there is no MPI. */
async function mpi(): Promise<[string, string][]> {
	const builds = await mpiBuilds();
	const how = ({library, compiler, isCurrent}: MpiBuild): string =>
		`module for ${library}, built with ${compiler}${isCurrent ? '' : " by another version: run 'alexnet mpi build'"}`;
	if (builds.length > 0) return builds.map((build, index) => [index === 0 ? 'MPI' : '', how(build)]);
	const folder = (process.env.PATH ?? '').split(delimiter).find((each) => existsSync(join(each, 'mpirun')));
	if (folder === undefined) return [];
	return [['MPI', `${join(folder, 'mpirun')}; to train on several GPUs or machines, run 'alexnet mpi build' first`]];
}

/** Where the addon lies in the package, and whether it came with it. */
function addon(): string {
	const file = relative(packageRoot(), addonFile());
	return `${file}, ${file.startsWith('prebuilds') ? 'prebuilt' : 'built on this machine'}`;
}

function cLibrary(): string {
	const {header} = process.report.getReport() as {header: {glibcVersionRuntime?: string}};
	return header.glibcVersionRuntime === undefined ? 'not glibc' : `glibc ${header.glibcVersionRuntime}`;
}
