// `alexnet plan`, in words and as JSON, and what it refuses.
import test from 'ava';
import {alexnet} from '../helpers/command.ts';

interface Step {
	stepMs: number;
	computeMs: number;
	imagesPerSecond: number;
	efficiency: number;
	hiddenShare: number;
	limit: string;
	megabytesSent: number;
}

interface Row {
	ranks: number;
	pictures: number;
	data: Step;
	split: Step;
}

interface Told {
	rank: string;
	modelled: boolean;
	gradientBytes: number;
	strong: Row[];
	weak: Row[];
	paysUpTo: Record<'strong' | 'weak', Record<'data' | 'split', number>>;
}

async function told(...args: string[]): Promise<Told> {
	const {code, stdout, stderr} = await alexnet(['plan', ...args, '--json']);
	if (code !== 0) throw new Error(stderr);
	return JSON.parse(stdout) as Told;
}

test.serial('rows of 1, 2, 4 … ranks to those asked for, of the same batch in all and on each', async (t) => {
	const {rank, modelled, gradientBytes, strong, weak} = await told(
		'--ranks',
		'12',
		'--precision',
		'bf16',
		'--path',
		'gpu',
	);
	t.is(rank, 'a modelled H100');
	t.true(modelled);
	t.is(gradientBytes, 4 * 60_965_224);
	t.deepEqual(
		[strong, weak].map((rows) => rows.map(({ranks, pictures}) => [ranks, pictures])),
		[[1, 2, 4, 8, 12].map((ranks) => [ranks, 128]), [1, 2, 4, 8, 12].map((ranks) => [ranks, 128 * ranks])],
	);
	for (const rows of [strong, weak]) {
		for (const {ranks, pictures, data, split} of rows) {
			for (const {stepMs, imagesPerSecond, efficiency} of [data, split]) {
				t.is(imagesPerSecond.toFixed(6), ((1000 * pictures) / stepMs).toFixed(6));
				t.is(efficiency.toFixed(9), (imagesPerSecond / ranks / rows[0]!.data.imagesPerSecond).toFixed(9));
			}
		}
		t.is(rows[0]?.data.efficiency, 1);
	}
	t.is(weak[1]?.data.limit, 'network');
	t.is(weak[1]?.data.computeMs, weak[0]?.data.computeMs);
});

test.serial('no rank is without pictures, and ranks of a machine come before machines', async (t) => {
	const {strong, weak} = await told('--ranks', '16', '--per-node', '4', '--batch-size', '8', '--step-ms', '4:50,8:90');
	t.deepEqual(
		[strong, weak].map((rows) => rows.map(({ranks}) => ranks)),
		[
			[1, 2, 4, 8],
			[1, 2, 4, 8, 16],
		],
	);
	t.deepEqual(
		strong.map(({data}) => data.computeMs.toFixed(3)),
		['90.000', '50.000', '30.000', '20.000'],
	);
});

test.serial('words say what is modelled, and up to how many ranks it pays', async (t) => {
	const {code, stdout, stderr} = await alexnet([
		'plan',
		'--ranks',
		'4',
		'--device',
		'T4',
		'--path',
		'gpu',
		'--network',
		'HDR',
	]);
	t.is(code, 0, stderr);
	t.regex(stdout, /^Modelled, not measured: docs\/scaling\.md/);
	t.regex(stdout, /^Net: paper, fp32; 243\.9 MB of gradients in fp32, 96\.2 % of them of fully connected layers\.$/m);
	t.regex(stdout, /^A rank: a modelled T4\.$/m);
	t.regex(stdout, /^ranks +pictures +compute ms +step ms +images\/s +efficiency +hidden +bound by/m);
	t.regex(stdout, /^ {4}4 +128 .* compute /m);
	t.regex(stdout, /^Data parallelism pays up to all 4 ranks \(efficiency \d+\.\d %\)\.$/m);
	const slow = await alexnet(['plan', '--ranks', '2', '--precision', 'bf16']);
	t.regex(
		slow.stdout,
		/^Data parallelism does not pay: 2 ranks make \d+ images\/s, one alone \d+; adding up is what takes longest\.$/m,
	);
	t.regex(slow.stdout, /through the host’s memory, .* at 0\.5 GB\/s\.$/m);
});

const refusals: readonly (readonly [args: readonly string[], code: number, said: RegExp])[] = [
	[['--ranks', '0'], 2, /--ranks/],
	[
		['--ranks', '12', '--per-node', '8'],
		1,
		/--ranks must be a multiple of --per-node where they are more, got 12 and 8/,
	],
	[['--network', 'token ring'], 2, /Allowed choices are 10GbE, 25GbE/],
	[['--efficiency', '1.5'], 2, /above 0 and at most 1/],
	[['--device', 'H1000'], 1, /No data sheet of 'H1000'/],
	[['--device', 'RTX 5090'], 1, /give --step-ms/],
	[['--preset', 'owt'], 1, /--preset must be 'paper' for a modelled GPU, got 'owt'.*--step-ms/],
	[['--step-ms', '0'], 2, /milliseconds of a step, such as 1300/],
	[['--step-ms', '16:1300,16:1400'], 2, /milliseconds of a step, such as 1300/],
	[['--step-ms', '64:1300,16:1400'], 2, /larger ones take longer/],
	[['--step-ms', '16:1300,64'], 2, /milliseconds of a step, such as 1300/],
	[['--step-ms', '10', '--device', 'H100'], 2, /leave one of them out/],
];

for (const [args, code, said] of refusals) {
	test.serial(`refused: ${args.join(' ')}`, async (t) => {
		const ended = await alexnet(['plan', ...args]);
		t.is(ended.code, code, ended.stderr);
		t.regex(ended.stderr, said);
	});
}

test.serial('any net, where its step was measured', async (t) => {
	const {gradientBytes, strong} = await told('--preset', 'owt', '--step-ms', '1000', '--wire', 'bf16', '--ranks', '2');
	t.is(gradientBytes, 2 * 61_100_840);
	t.is(strong[0]?.data.stepMs.toFixed(6), '1000.000000');
});
