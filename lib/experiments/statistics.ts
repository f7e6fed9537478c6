// Means, spreads, and what a difference over the same seeds can be told to be.

/** Quantiles of Student's t at .975, for 1 to 30 degrees of freedom. Of more the last one, which is a little wide. */
const quantiles = [
	...[12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228],
	...[2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086],
	...[2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042],
];

/** NaN of none. */
export function mean(values: readonly number[]): number {
	return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The sample's standard deviation; undefined of fewer than two. */
export function deviation(values: readonly number[]): number | undefined {
	if (values.length < 2) return undefined;
	const middle = mean(values);
	return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
}

/** In which the mean lies with 95 %, were the values normally distributed; undefined of fewer than two. */
export function interval(values: readonly number[]): readonly [number, number] | undefined {
	const spread = deviation(values);
	if (spread === undefined) return undefined;
	const quantile = quantiles[Math.min(values.length - 1, quantiles.length) - 1] ?? NaN;
	const reach = (quantile * spread) / Math.sqrt(values.length);
	return [mean(values) - reach, mean(values) + reach];
}
