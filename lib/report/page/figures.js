// How numbers read. JSON has null where there was no number.

/** @typedef {number | null | undefined} Figure */

/** @param {Figure} share */
export function percent(share) {
	return isNumber(share) ? `${(share * 100).toFixed(1)} %` : '–';
}

/** @param {Figure} value */
export function fixed(value, digits = 3) {
	return isNumber(value) ? value.toFixed(digits) : '–';
}

/**
 * As many digits as a rate needs.
 *
 * @param {Figure} value
 */
export function short(value) {
	if (!isNumber(value)) return '–';
	const rounded = Number(value.toPrecision(3));
	return rounded !== 0 && Math.abs(rounded) < 0.001 ? rounded.toExponential() : String(rounded);
}

/** @param {Figure} value */
export function whole(value) {
	return isNumber(value) ? value.toLocaleString('en-US') : '–';
}

/** @param {Figure} seconds */
export function duration(seconds) {
	if (!isNumber(seconds)) return '–';
	if (seconds < 100) return `${Math.round(seconds)} s`;
	const minutes = Math.round(seconds / 60);
	return minutes < 100 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/**
 * @param {Figure} value
 * @returns {value is number}
 */
export function isNumber(value) {
	return typeof value === 'number' && Number.isFinite(value);
}
