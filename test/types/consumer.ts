// What a consumer's code may look like. It is checked here against the sources, and by surface.slow.test.ts against the
// declarations that a build writes, as a strict project with declarations of its own.
import {AlexNet, AlexNetError, Dataset, decodePicture, ImageFolder, listDevices, recipes} from 'alexnet-cuda';
import {isAlexNetError, measureFilters, RunFolder, runFiles, trainRun, writeFilters} from 'alexnet-cuda';
import type {
	Architecture,
	Classification,
	ErrorCode,
	LayerSpec,
	PictureSource,
	Progress,
	TrainReport,
} from 'alexnet-cuda';
import {openDevice, operations} from 'alexnet-cuda/ops';

/** Whether two types are the same, and not `any`. */
type Same<A, B> = 0 extends 1 & A ? false : [A, B] extends [B, A] ? true : false;
const same = <A, B>(result: Same<A, B>): boolean => result;

// Types that the compiler infers, and must be able to name in the consumer's own declarations.
export const open = async (folder: string) => ImageFolder.open(folder, {validationFraction: 0.2});
export const create = async (labels: readonly string[]) => AlexNet.create({labels, ...recipes.small.create});
export const load = async (path: string) => AlexNet.load(path, {devices: ['cuda:0', 'cuda:1'], precision: 'bf16'});
export const state = ({sgd, progress, statistics, architecture, parameters, memory}: AlexNet) => ({
	...{sgd, progress, statistics, architecture, memory},
	weights: parameters.map(({name, parts}) => ({name, tensors: parts.map(({weights}) => weights)})),
});
export const layersOf = (model: AlexNet) => model.architecture.layers.filter(({type}) => type === 'conv2d');
export const train = (model: AlexNet, source: PictureSource) => model.train(source, recipes.paper.train);
export const evaluate = async (model: AlexNet, {validation}: ImageFolder) => model.evaluate(validation, {crops: 10});
export const classifyAll = (model: AlexNet, paths: readonly string[]) => model.classifyMany(paths, {top: 1});
export const devices = () => listDevices({probe: true});
export const device = () => openDevice('cpu', {threads: 1});
export const lrn = (given: Parameters<typeof operations.lrn>[0]) => operations.lrn(given);
export const dataset = (labels: string[]) => new Dataset({labels, pictures: [{path: 'a.png', label: 0}]});
export const recipe = recipes.small;
export const files = runFiles;
export class Stopped extends AlexNetError {}

export async function resumed(path: string, model: AlexNet, source: PictureSource) {
	const {config} = await RunFolder.read(path);
	await using run = await RunFolder.resume(path, config, model);
	const reports = await trainRun({run, model, source, saveEvery: {steps: 100}, onReport: show});
	await writeFilters(model, run.file('filters'));
	const [{colourEnergy} = {colourEnergy: undefined}] = (await measureFilters(model)).columns;
	return {reports, colourEnergy, best: reports.filter(({best}) => best).at(-1)};
}

function show(report: TrainReport): number | undefined {
	return report.type === 'step' ? report.imagesPerSecond : report.validation?.top1;
}

// What a type is, exactly.
export const facts = [
	same<Awaited<ReturnType<AlexNet['classify']>>, Classification[]>(true),
	same<AlexNet['architecture'], Architecture>(true),
	same<AlexNet['progress'], Progress | undefined>(true),
	same<LayerSpec['type'], 'conv2d' | 'lrn' | 'maxPool' | 'activate' | 'linear' | 'dropout'>(true),
	same<Awaited<ReturnType<typeof decodePicture>>, Uint8Array>(true),
	same<
		Parameters<RunFolder['file']>[0],
		'config' | 'metrics' | 'last' | 'best' | 'filters' | 'kernels' | 'predictions' | 'report'
	>(true),
];
export const codeOf = (error: unknown): ErrorCode | undefined => (isAlexNetError(error) ? error.code : undefined);

// What types refuse.
export const refused = (model: AlexNet, source: PictureSource): readonly (() => unknown)[] => [
	// @ts-expect-error: create and load make one
	(): unknown => new AlexNet({labels: ['a', 'b']}),
	// @ts-expect-error: open makes one
	(): unknown => new ImageFolder('pictures'),
	// @ts-expect-error: create and resume make one
	(): unknown => new RunFolder('run'),
	// @ts-expect-error: the option is called devices
	() => AlexNet.create({classes: 2, device: 'cpu'}),
	// @ts-expect-error: one or ten
	() => model.predict(new Uint8Array(), {crops: 5}),
	// @ts-expect-error: an ImageFolder has two parts, and each is a source
	() => model.train({train: source, validation: source}),
	// @ts-expect-error: settings are set as a whole
	() => (model.sgd.learningRate = 0.1),
	// @ts-expect-error: a run needs a folder
	() => trainRun({model, source}),
];
