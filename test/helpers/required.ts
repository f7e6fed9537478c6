/** Whether ALEXNET_REQUIRE, a list with commas, names what would otherwise be left out where it is not here. */
export function isRequired(what: 'cuda' | 'mpi' | 'torch'): boolean {
	return (process.env.ALEXNET_REQUIRE ?? '').split(',').includes(what);
}
