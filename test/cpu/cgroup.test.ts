// What control groups leave, read from made-up files: versions 1 and 2, groups within groups, containers.
import {execFileSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import test from 'ava';
import {root} from '../helpers/sources.ts';

const folder = mkdtempSync(join(tmpdir(), 'alexnet-cgroup-'));
const program = join(folder, 'cgroup');

// The compiler that builds the addon.
test.before(() => {
	const sources = ['test/cpu/cgroup.cc', 'cpu/cgroup.cc'];
	execFileSync(process.env.CXX ?? 'c++', ['-std=c++17', ...sources, '-o', program], {cwd: root});
});
test.after.always(() => rmSync(folder, {recursive: true}));

interface Limits {
	cores: number;
	memory: bigint;
	free: bigint;
}

function limitsOf(files: Readonly<Record<string, string>>): Limits {
	const made = mkdtempSync(join(folder, 'root-'));
	for (const [path, text] of Object.entries(files)) {
		mkdirSync(join(made, dirname(path)), {recursive: true});
		writeFileSync(join(made, path), `${text}\n`);
	}
	const [cores = '', memory = '', free = ''] = execFileSync(program, [made], {encoding: 'utf8'}).trim().split(' ');
	return {cores: cores === 'inf' ? Infinity : Number(cores), memory: BigInt(memory), free: BigInt(free)};
}

const most = 2n ** 63n - 1n;
const unlimited = {cores: Infinity, memory: most, free: most};
const unified = '42 32 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate';
const service = '/sys/fs/cgroup/system.slice/job.service';

test('without control groups nothing is limited', (t) => {
	t.deepEqual(limitsOf({}), unlimited);
	t.deepEqual(limitsOf({'/proc/self/cgroup': '0::/', '/proc/self/mountinfo': unified}), unlimited);
});

test('version 2: the least of the group and of those above it', (t) => {
	const files = {
		'/proc/self/cgroup': '0::/system.slice/job.service',
		'/proc/self/mountinfo': `21 32 0:20 / /proc rw - proc proc rw\n${unified}`,
		[`${service}/cpu.max`]: 'max 100000',
		[`${service}/memory.max`]: '900000000',
		[`${service}/memory.current`]: '700000000',
		[`${service}/memory.stat`]: 'anon 1\nfile 300000000\nactive_file 200000000\ninactive_file 100000000',
	};
	t.deepEqual(limitsOf(files), {cores: Infinity, memory: 900_000_000n, free: 300_000_000n});
	const above = {
		...files,
		'/sys/fs/cgroup/system.slice/cpu.max': '150000 100000',
		'/sys/fs/cgroup/system.slice/memory.max': '1000000000',
		'/sys/fs/cgroup/system.slice/memory.current': '950000000',
	};
	t.deepEqual(limitsOf(above), {cores: 1.5, memory: 900_000_000n, free: 50_000_000n});
	const slowed = {...files, [`${service}/memory.high`]: '800000000'};
	t.deepEqual(limitsOf(slowed), {cores: Infinity, memory: 800_000_000n, free: 200_000_000n});
	t.deepEqual(limitsOf({...files, [`${service}/memory.high`]: 'max'}), limitsOf(files));
	const full = {...files, [`${service}/memory.current`]: '1100000000'};
	t.is(limitsOf(full).free, 0n);
});

test('version 1: a hierarchy for each controller', (t) => {
	const files = {
		'/proc/self/cgroup': '5:memory:/jobs/a\n4:cpu,cpuacct:/jobs/b\n1:name=systemd:/\n0::/',
		'/proc/self/mountinfo': [
			'31 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct',
			'32 30 0:29 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset',
			'34 30 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory',
			'40 30 0:37 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw',
		].join('\n'),
		'/sys/fs/cgroup/cpuset/jobs/b/cpu.cfs_quota_us': '1',
		'/sys/fs/cgroup/cpuset/jobs/b/cpu.cfs_period_us': '100000',
		'/sys/fs/cgroup/cpu,cpuacct/jobs/b/cpu.cfs_quota_us': '-1',
		'/sys/fs/cgroup/cpu,cpuacct/jobs/b/cpu.cfs_period_us': '100000',
		'/sys/fs/cgroup/memory/jobs/a/memory.limit_in_bytes': '9223372036854771712',
		'/sys/fs/cgroup/memory/jobs/a/memory.usage_in_bytes': '4096',
	};
	t.deepEqual(limitsOf(files), {cores: Infinity, memory: 9223372036854771712n, free: 9223372036854771712n - 4096n});
	const limited = {
		...files,
		'/sys/fs/cgroup/cpu,cpuacct/jobs/cpu.cfs_quota_us': '50000',
		'/sys/fs/cgroup/cpu,cpuacct/jobs/cpu.cfs_period_us': '100000',
		'/sys/fs/cgroup/memory/jobs/memory.limit_in_bytes': '900000000',
		'/sys/fs/cgroup/memory/jobs/memory.usage_in_bytes': '800000000',
		'/sys/fs/cgroup/memory/jobs/memory.stat': 'inactive_file 10\ntotal_inactive_file 20000000',
	};
	t.deepEqual(limitsOf(limited), {cores: 0.5, memory: 900_000_000n, free: 120_000_000n});
});

test('a container may see its group as the hierarchy, under the name that the host gives it', (t) => {
	const limits = {'/sys/fs/cgroup/cpu.max': '200000 100000', '/sys/fs/cgroup/memory.max': '1000'};
	for (const [group, part] of [
		['/docker/1f', '/docker/1f'],
		['/', '/'],
		['/../2e', '/'],
		['/elsewhere', '/docker/1f'],
	] as const) {
		const mount = unified.replace(' / ', ` ${part} `);
		const files = {...limits, '/proc/self/cgroup': `0::${group}`, '/proc/self/mountinfo': mount};
		t.deepEqual(limitsOf(files), {cores: 2, memory: 1000n, free: 1000n}, group);
	}
});
