// Prepares a folder in a process of its own, to be killed: folder, out, side, pictures a shard.
import {folderSource} from '../../lib/data/prepare/folder-source.ts';
import {prepareInShards} from '../../lib/data/prepare/prepare.ts';
import {setUpSharp} from '../../lib/data/sharp-settings.ts';

setUpSharp();
const [folder = '', out = '', imageSize, picturesPerShard] = process.argv.slice(2);
let isTold = false;
const none = {labels: undefined, ilsvrc: false, signal: undefined} as const;
await prepareInShards(await folderSource(folder), out, {
	...none,
	as: 'raw',
	quality: 90,
	imageSize: Number(imageSize),
	picturesPerShard: Number(picturesPerShard),
	onProgress: () => {
		if (!isTold) process.stdout.write('begins\n');
		isTold = true;
	},
});
