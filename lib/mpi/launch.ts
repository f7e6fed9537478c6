// Whether this process is one of several that mpirun or srun has started, as their variables tell.

/** How a process was started. */
export interface Launch {
	/** How many processes there are. */
	readonly size: number;
	/** Whose mpirun it was; undefined where that does not show. */
	readonly library: 'Open MPI' | 'MPICH' | undefined;
}

/** Undefined where the process is on its own. */
export function launched(): Launch | undefined {
	return (
		several(process.env.OMPI_COMM_WORLD_SIZE, 'Open MPI') ??
		several(process.env.PMI_SIZE, 'MPICH') ??
		// srun speaks several protocols, and libraries of several kinds understand this one.
		(process.env.PMIX_RANK === undefined ? undefined : several(process.env.SLURM_STEP_NUM_TASKS, undefined))
	);
}

function several(size: string | undefined, library: Launch['library']): Launch | undefined {
	return Number(size) > 1 ? {size: Number(size), library} : undefined;
}
