import js from '@eslint/js';
import tseslint from 'typescript-eslint';

export default tseslint.config(
	{ignores: ['build/', 'dist/', 'prebuilds/', '.cache/', 'test/fixtures/']},
	js.configs.recommended,
	{
		files: ['**/*.ts'],
		extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
		languageOptions: {parserOptions: {projectService: true, tsconfigRootDir: import.meta.dirname}},
		rules: {
			'@typescript-eslint/restrict-template-expressions': ['error', {allowNumber: true, allowBoolean: true}],
			'@typescript-eslint/switch-exhaustiveness-check': 'error',
			'@typescript-eslint/no-confusing-void-expression': ['error', {ignoreArrowShorthand: true}],
			// A loop over every element of an array of numbers reads best with its index.
			'@typescript-eslint/prefer-for-of': 'off',
		},
	},
	{
		files: ['test/**/*.ts', 'benchmarks/**/*.ts', 'lib/selftest/**/*.ts'],
		// Tests index typed arrays whose length they chose themselves.
		rules: {'@typescript-eslint/no-non-null-assertion': 'off'},
	},
	{
		files: ['lib/report/page/*.js'],
		// They run in browsers; `npm run types` knows what there is.
		rules: {'no-undef': 'off'},
	},
	{
		files: ['**/*.mjs'],
		languageOptions: {globals: {process: 'readonly', console: 'readonly'}},
	},
	{
		files: ['**/*.cjs'],
		languageOptions: {
			globals: {
				require: 'readonly',
				module: 'writable',
				process: 'readonly',
				console: 'readonly',
				__dirname: 'readonly',
			},
		},
	},
);
