// Whether this process is one of several that mpirun or srun has started, as their variables tell.

/** How a process was started. */
export interface Launch {
	/** How many processes there are. */
	readonly size: number;
	/** Whose mpirun it was; undefined where that does not show. */
	readonly library: 'Open MPI' | 'MPICH' | undefined;
}

/** Undefined where the process is on its own. */
export function launched(environment: NodeJS.ProcessEnv = process.env): Launch | undefined {
	const {OMPI_COMM_WORLD_SIZE, PMI_SIZE, PMIX_RANK, SLURM_STEP_NUM_TASKS} = environment;
	if (OMPI_COMM_WORLD_SIZE !== undefined) return several(OMPI_COMM_WORLD_SIZE, 'Open MPI');
	if (PMI_SIZE !== undefined) return several(PMI_SIZE, 'MPICH');
	// srun speaks several protocols, and libraries of several kinds understand them.
	if (PMIX_RANK !== undefined && SLURM_STEP_NUM_TASKS !== undefined) return several(SLURM_STEP_NUM_TASKS, undefined);
	return undefined;
}

function several(size: string, library: Launch['library']): Launch | undefined {
	return Number(size) > 1 ? {size: Number(size), library} : undefined;
}
