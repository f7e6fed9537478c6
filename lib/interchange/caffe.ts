// Caffe's messages: which number each field has. Layers have had two forms; the older one is in files of 2013 and 2014.

export const netFields = {oldLayers: 2, inputSides: 4, inputShape: 8, layers: 100} as const;
export const blobFields = {sides: [1, 2, 3, 4], data: 5, shape: 7, doubles: 8} as const;
export const blobShapeFields = {dimensions: 1} as const;

/** What a layer of each form has. */
export interface LayerFields {
	readonly name: number;
	readonly type: number;
	readonly bottom: number;
	readonly top: number;
	readonly blobs: number;
	readonly transformation: number;
	readonly convolution: number;
	readonly dropout: number;
	readonly normalization: number;
	readonly pooling: number;
	readonly relu: number;
}

export const layerFields: LayerFields = {
	...{name: 1, type: 2, bottom: 3, top: 4, blobs: 7, transformation: 100, convolution: 106, dropout: 108},
	...{normalization: 118, pooling: 121, relu: 123},
};
export const inputFields = {parameter: 143, shape: 1} as const;
export const oldLayerFields: LayerFields = {
	...{name: 4, type: 5, bottom: 2, top: 3, blobs: 6, transformation: 36, convolution: 10, dropout: 12},
	...{normalization: 18, pooling: 19, relu: 30},
};

/** The older form tells a layer's type by number. */
export const oldTypes: Readonly<Record<number, string>> = {
	...{1: 'Accuracy', 4: 'Convolution', 5: 'Data', 6: 'Dropout', 8: 'Flatten', 12: 'ImageData', 14: 'InnerProduct'},
	...{
		15: 'LRN',
		17: 'Pooling',
		18: 'ReLU',
		19: 'Sigmoid',
		20: 'Softmax',
		21: 'SoftmaxWithLoss',
		22: 'Split',
		23: 'TanH',
		29: 'MemoryData',
	},
};

export const convolutionFields = {
	...{
		pad: 3,
		size: 4,
		group: 5,
		stride: 6,
		padHeight: 9,
		padWidth: 10,
		strideHeight: 13,
		strideWidth: 14,
		dilation: 18,
	},
} as const;
export const poolingFields = {
	...{method: 1, size: 2, stride: 3, pad: 4, heights: [5, 6, 7, 8, 9, 10], global: 12, rounding: 13},
} as const;
export const normalizationFields = {size: 1, alpha: 2, beta: 3, region: 4, k: 5} as const;
export const dropoutFields = {rate: 1} as const;
export const reluFields = {slope: 1} as const;
export const transformationFields = {scale: 1, crop: 3, mean: 5} as const;
