// The commands and programs of docs/fine-tuning.md run, one after the other, in a project of somebody who reads it.
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {alexnet, writePictures} from '../helpers/command.ts';
import {writeSmallCheckpoint} from '../helpers/small-checkpoint.ts';
import {root} from '../helpers/sources.ts';
import {installInto, outputOf} from '../helpers/user-project.ts';

const project = mkdtempSync(join(tmpdir(), 'alexnet-guide-'));
test.after.always(() => {
	rmSync(project, {recursive: true});
});

test.before(async () => {
	installInto(project);
	await writePictures(join(project, 'pictures'), {cat: [200, 40, 40], dog: [40, 40, 200]}, 18);
	await writeSmallCheckpoint(join(project, 'teacher.safetensors'));
});

const guide = readFileSync(join(root, 'docs/fine-tuning.md'), 'utf8');
const snippets = [...guide.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', text = '']) => ({
	language,
	text,
}));

const expected: Readonly<Record<string, RegExp>> = {
	train: /^Best: top-1 /m,
	evaluate: /^4 pictures, 1 crop: loss /m,
	features: /^features\.\w+: \d+ outputs of \w+ for 36 pictures$/m,
	nearest:
		/^pictures\/cat\/0\.png\n {6}0\.00\d {2}pictures\/cat\/0\.png\n( +\d+\.\d{3} {2}pictures\/cat\/\d+\.png\n){5}$/,
};

for (const [place, {language, text}] of snippets.entries()) {
	test.serial(`snippet ${place + 1}: ${text.split('\n')[0] ?? ''}`, async (t) => {
		if (language === 'ts') {
			writeFileSync(join(project, 'snippet.mts'), text);
			t.regex(
				await outputOf(project, 'snippet.mts'),
				text.includes('train(') ? /^5 \d/m : /^pictures\/dog\/0\.png Float32/m,
			);
			return;
		}
		t.is(language, 'sh');
		for (const line of text.trimEnd().split('\n')) {
			const [, command = '', rest = ''] = /^npx alexnet (\w+) (.*)$/.exec(line) ?? [];
			const {code, stdout, stderr} = await alexnet([command, ...rest.split(' ')], {cwd: project});
			t.is(code, 0, `${line}: ${stderr}`);
			t.regex(stdout, expected[command]!, line);
		}
	});
}

test('all snippets were found', (t) => {
	t.is(snippets.length, 4);
});
