// What joins ranks: bandwidths as specifications and data sheets print them, and latencies, which are guesses.

/** A link of a rank or a machine, which sends and receives at the same time. */
export interface Link {
	/** Each way, as printed. */
	readonly gigabytesPerSecond: number;
	/** From a message's sending to its arrival, of the smallest one: nobody prints it, so it is guessed. */
	readonly microseconds: number;
	/** Whose figure the bandwidth is. */
	readonly source: string;
}

/** Through the operating system, as MPI does over TCP. */
const tcp = 20;
/** Written by the adapter into the other machine's memory. */
const rdma = 2;
/** From kernel to kernel of two GPUs. */
const gpus = 3;

export const networks = {
	'10GbE': {gigabytesPerSecond: 1.25, microseconds: tcp, source: 'IEEE 802.3ae, 10 Gbit/s'},
	'25GbE': {gigabytesPerSecond: 3.125, microseconds: tcp, source: 'IEEE 802.3by, 25 Gbit/s'},
	'100GbE': {gigabytesPerSecond: 12.5, microseconds: tcp, source: 'IEEE 802.3ba, 100 Gbit/s'},
	HDR: {gigabytesPerSecond: 25, microseconds: rdma, source: 'InfiniBand HDR, four lanes, 200 Gbit/s'},
	NDR: {gigabytesPerSecond: 50, microseconds: rdma, source: 'InfiniBand NDR, four lanes, 400 Gbit/s'},
	PCIe4: {gigabytesPerSecond: 31.5, microseconds: gpus, source: 'PCI Express 4.0, 16 lanes of 16 GT/s at 128b/130b'},
	PCIe5: {gigabytesPerSecond: 63, microseconds: gpus, source: 'PCI Express 5.0, 16 lanes of 32 GT/s at 128b/130b'},
	NVLink3: {gigabytesPerSecond: 300, microseconds: gpus, source: 'NVIDIA A100 data sheet, 600 GB/s both ways'},
	NVLink4: {gigabytesPerSecond: 450, microseconds: gpus, source: 'NVIDIA H100 data sheet, 900 GB/s both ways'},
} as const satisfies Readonly<Record<string, Link>>;

export type Network = keyof typeof networks;
