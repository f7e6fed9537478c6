/** Memory of the host that is used again: to lock its pages takes long. */
export class HostPool {
	readonly #allocate: (bytes: number) => Uint8Array;
	#free: Uint8Array[] = [];

	constructor(allocate: (bytes: number) => Uint8Array) {
		this.#allocate = allocate;
	}

	/** Arrays of any contents, which are others' again from `end()` on. */
	lend(): {take: (bytes: number) => Uint8Array; end: () => void} {
		const lent: Uint8Array[] = [];
		return {
			take: (bytes) => {
				this.#free = this.#free.filter(({length}) => length === bytes); // of another batch size nobody asks again
				const array = this.#free.pop() ?? this.#allocate(bytes);
				lent.push(array);
				return array;
			},
			end: () => {
				this.#free.push(...lent.splice(0));
			},
		};
	}

	/** What is not lent goes. */
	clear(): void {
		this.#free = [];
	}
}
