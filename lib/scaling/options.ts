import {flag, integer, number, oneOf, option, options, where, type Checked} from '../base/check.ts';
import {architectureOptions} from '../net/alexnet.ts';
import {wire, type Wire} from '../net/group.ts';
import {runOptions, type Precision} from '../net/options.ts';
import type {Preset} from '../net/presets/index.ts';
import {networks, type Network} from './links.ts';

/** What a step of several ranks is planned for. */
export interface PlanOptions {
	/** Ranks at most; a multiple of `perNode` where they are more. Default 16. */
	ranks?: number | undefined;
	/** What joins the machines; each has one link of it. Default '25GbE'. */
	network?: Network | undefined;
	/** Ranks on a machine. Default 1. */
	perNode?: number | undefined;
	/** What joins the GPUs of a machine, with `path` `gpu`. Default 'NVLink4'. */
	inside?: Network | undefined;
	/** Share of the printed bandwidths that messages get. Default 0.8. */
	efficiency?: number | undefined;
	/** Microseconds that a message takes besides its bytes, in place of what is assumed of the network. */
	latency?: number | undefined;
	/**
	 * The way of gradients: in the memory of CPUs, from GPUs through the host's memory as in this package, or straight from
	 * GPU to GPU, which this package cannot yet. Default 'host'.
	 */
	path?: 'cpu' | 'host' | 'gpu' | undefined;
	/** Gigabytes a second that MPI adds up in a host's memory, as two ranks on a core each were measured. Default 0.5. */
	sumRate?: number | undefined;
	/** Adding up gradients while the backward pass goes on. Default true. */
	overlap?: boolean | undefined;
	/** Pictures of a step: of all ranks together (strong scaling), and of each rank (weak scaling). Default 128. */
	batchSize?: number | undefined;
	/** Type of gradients between ranks. Default 'fp32'. */
	wire?: Wire | undefined;
	/** Type of activations and multiplications. Default 'fp32'. */
	precision?: Precision | undefined;
	/** Whose net it is. Default 'paper'. */
	preset?: Preset | undefined;
}

/** More have never trained one net, and a table ends with them. */
const mostRanks = 65_536;
const positive = where(number(0), (value) => value > 0, 'a number above 0');
const networkNames = Object.keys(networks) as Network[];

export const planOptions = options<PlanOptions>()({
	ranks: option(integer(1, mostRanks), 'ranks at most', 16),
	network: option(oneOf(networkNames), 'what joins the machines', '25GbE'),
	perNode: option(integer(1, mostRanks), 'ranks on a machine', 1),
	inside: option(oneOf(networkNames), 'what joins the GPUs of a machine', 'NVLink4'),
	efficiency: option(
		where(positive, (value) => value <= 1, 'a number above 0 and at most 1'),
		'share of the printed bandwidths that messages get',
		0.8,
	),
	latency: option(number(0), 'microseconds that a message takes besides its bytes'),
	path: option(
		oneOf(['cpu', 'host', 'gpu']),
		"the way of gradients: in the memory of CPUs, from GPUs through the host's memory as in this package, or straight " +
			'from GPU to GPU',
		'host',
	),
	sumRate: option(positive, "gigabytes a second that MPI adds up in a host's memory", 0.5),
	overlap: option(flag, 'adding up gradients while the backward pass goes on', true),
	batchSize: option(integer(1, 1e6), 'pictures of a step', 128),
	wire,
	precision: runOptions.checks.precision,
	preset: option(architectureOptions.checks.preset, 'whose net it is', 'paper'),
});

export type Planned = Checked<typeof planOptions>;
