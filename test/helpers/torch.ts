import {spawnSync} from 'node:child_process';

/** A Python that has PyTorch. Debian's own sees Debian's packages, whatever comes first on PATH. */
export function pythonWithTorch(): string | undefined {
	return ['python3', '/usr/bin/python3'].find((name) => spawnSync(name, ['-c', 'import torch']).status === 0);
}
