// What config.json of a resumed run may say.
import {Command} from 'commander';
import test from 'ava';
import {addTrain} from '../../cli/commands/train.ts';
import {resumedOptions, savedConfig} from '../../cli/run-config.ts';

const program = new Command();
addTrain(program);
const train = program.commands[0]!;

const settings = {...train.opts<Record<string, unknown>>(), folder: 'pictures', divideAt: [30, 60]};
const config = {settings, labels: ['a', 'b'], startedAt: '2012-12-03T00:00:00.000Z'};

test('what a run was started with comes back', (t) => {
	t.like(resumedOptions<object>(train, train.opts(), 'run', config), {
		epochs: 90,
		divideAt: [30, 60],
		lrn: true,
		crops: 1,
	});
	t.deepEqual(savedConfig('run', config).labels, ['a', 'b']);
});

for (const [change, message] of [
	[{settings: undefined}, /config\.json in 'run' is damaged: settings must be an object, got undefined/],
	[{settings: null}, /settings must be an object, got null/],
	[{settings: {...settings, epochs: '90'}}, /says that epochs was "90", which it cannot have been/],
	[{settings: {...settings, epochs: 0}}, /epochs was 0/],
	[{settings: {...settings, epochs: null}}, /epochs was null/],
	[{settings: {...settings, lrn: 'no'}}, /lrn was "no"/],
	[{settings: {...settings, pooling: {toString: 1}}}, /pooling was \{"toString":1\}/],
	[{settings: {...settings, device: 7}}, /device was 7/],
	[{settings: {...settings, divideAt: 30}}, /divideAt was 30/],
	[{settings: {...settings, divideAt: [30, 'x']}}, /divideAt was \[30,"x"\]/],
	[{settings: {...settings, momentum: undefined}}, /does not say what momentum/],
	[{settings: {...settings, moment: 0.9}}, /has a setting 'moment', which this version does not know/],
	[{settings: {...settings, lrn: 'n'.repeat(2 ** 22)}}, /lrn was "n{199}…, which it/],
	[{settings: {...settings, ['n'.repeat(2 ** 22)]: 0}}, /has a setting 'n{200}…', which this/],
	[{labels: undefined}, /labels must be an array/],
	[{labels: 'ab'}, /labels must be an array, got 'ab'/],
	[{labels: ['a', 1]}, /labels\[1\] must be a string, got 1/],
	[{startedAt: 7}, /startedAt must be a string, got 7/],
] as const) {
	test(`refused: ${message.source}`, (t) => {
		const changed = {...config, ...change};
		const error = t.throws(() => void resumedOptions<object>(train, train.opts(), 'run', changed), {
			code: 'ALEXNET_RUN',
			message,
		});
		t.regex(error.message, /Start a new run \(--out\)\.$/);
	});
}
