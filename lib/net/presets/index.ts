// The AlexNets that there are, each on one screen in a file of its own.
import {caffe} from './caffe.ts';
import {caffenet} from './caffenet.ts';
import {owt} from './owt.ts';
import {paper} from './paper.ts';
import type {PresetNet} from './parts.ts';
import {source2012} from './source2012.ts';

/**
 * Whose net it is: `paper` is the NIPS 2012 text's, `source2012` the released training code's, `caffe` and `caffenet`
 * Caffe's bvlc_alexnet and bvlc_reference_caffenet, `owt` torchvision's alexnet, the net of "One weird trick" (2014).
 */
export type Preset = 'paper' | 'source2012' | 'caffe' | 'caffenet' | 'owt';

export const presets: Readonly<Record<Preset, PresetNet>> = {paper, source2012, caffe, caffenet, owt};
