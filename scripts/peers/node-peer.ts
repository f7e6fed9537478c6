// The side of a peer that runs in Node.js: answers questions with what it is given.
import {createInterface} from 'node:readline';
import type {Job, Line, Question} from './work.ts';

export interface Subject {
	readonly version: string;
	readonly settings: string;
	/** Probabilities of the first picture. */
	outputs(): Promise<readonly number[]>;
	/** The work once, to its end. */
	call(): Promise<void>;
}

function say(line: Line): void {
	process.stdout.write(`${JSON.stringify(line)}\n`);
}

export async function answer(open: (job: Job) => Promise<Subject>): Promise<void> {
	const subject = await open(JSON.parse(process.argv[2] ?? '') as Job);
	say({kind: 'ready', version: subject.version, settings: subject.settings});
	for await (const text of createInterface({input: process.stdin})) {
		const question = JSON.parse(text) as Question;
		if (question.ask === 'outputs') {
			say({kind: 'outputs', values: await subject.outputs()});
			continue;
		}
		const milliseconds: number[] = [];
		for (let call = 0; call < question.calls; ++call) {
			const start = performance.now();
			await subject.call();
			milliseconds.push(performance.now() - start);
		}
		say({kind: 'times', milliseconds});
	}
}
