// A program that is bundled: decodes a folder's pictures and tells how many processes it has started for that.
import {ImageFolder} from '../../lib/index.ts';
import {children} from './children.ts';

const [folder = ''] = process.argv.slice(2);
const {train} = await ImageFolder.open(folder, {imageSize: 32, validationFraction: 0});
await train.statistics();
console.log(JSON.stringify({pictures: train.size - train.unreadable.size, children: children().length}));
