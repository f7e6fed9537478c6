import {elementsOf} from '../../device/memory.ts';
import type {RealType} from '../bfloat16.ts';
import {close, equal, forTests, type CasesOf, type OperationCase} from '../operation-case.ts';
import {dropout, dropoutMask, dropoutRoundings, type DropoutDraw} from '../reference/draws.ts';
import {common, throughput, type Elements} from './elements.ts';

type Draw = Omit<DropoutDraw, 'seed'>;

interface Dropped extends Elements {
	/** [N, C] */
	readonly shape: readonly [number, number];
	readonly draw: Draw;
}

/** Of the right column of a layer that is twice as wide, where not said otherwise. */
function dropped(shape: readonly [number, number], draw: Partial<Draw> = {}): Dropped {
	const place = {features: 2 * shape[1], offset: shape[1]};
	return {shape, draw: {rate: 0.5, step: 917, layer: 6, ...place, ...draw}};
}

const smallDropouts = [dropped([2, 1680]), dropped([3, 35], {rate: 0.3})];
const moreDropouts = [
	dropped([8, 128], {features: 128, offset: 0}),
	dropped([5, 37], {features: 37, offset: 0}),
	dropped([4, 7], {features: 33, offset: 10}),
	dropped([1, 19]),
	dropped([1, 1], {features: 1, offset: 0}),
	dropped([4, 64], {rate: 0.1}),
	dropped([4, 64], {rate: 0.9}),
	dropped([3, 21], {rate: 0}),
	dropped([2, 33], {step: 0xffffffff, layer: 0xfffffffe}),
	dropped([2, 21], {features: 2 ** 32 + 3, offset: 2 ** 31}),
	{...dropped([3, 37]), misaligned: true},
];
const dropouts = [
	...smallDropouts,
	...forTests([...moreDropouts, ...[...smallDropouts, ...moreDropouts].map((one) => ({...one, inPlace: true}))]),
];

export const dropoutCases: CasesOf<'dropout'> = {
	dropout: (type) => dropouts.map((options) => dropoutCase(type, options)),
};

function dropoutCase(type: RealType, options: Dropped): OperationCase {
	const {shape, draw} = options;
	const {rate, features, offset, step} = draw;
	return {
		...common(type, options, `rate ${rate}`, `${offset} to ${offset + shape[1]} of ${features}`, `step ${step}`),
		prepare: (random) => {
			const values = random.values(elementsOf(shape), 3, type);
			const seed = (BigInt(random.integer(2 ** 32)) << 32n) | BigInt(random.integer(2 ** 32));
			const mask = dropoutMask(...shape, {...draw, seed});
			const expected = dropout(values, mask, rate);
			const alive = Float64Array.from(mask, Number);
			return (bench, operations) => {
				const {input, output} = throughput(bench, type, options, values);
				const kept = equal('mask', output, alive);
				return {
					call: () => operations.dropout({input, output, seed, ...draw}),
					outputs: [
						{tensor: output, compare: (actual) => kept.compare(actual.map((x) => (x === 0 ? 0 : 1)))},
						close('output', output, expected, type, () => dropoutRoundings),
					],
				};
			};
		},
	};
}
