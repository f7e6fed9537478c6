export {mpiGroup, MpiGroup} from './mpi/mpi-group.ts';
export {buildMpiModule, mpiBuilds, type MpiBuild, type MpiBuildOptions} from './mpi/builds.ts';
export type {Group, Wire} from './net/group.ts';
