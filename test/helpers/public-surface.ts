// What an entry point exports, what its declarations mention besides, and what they say nothing of.
import ts from 'typescript';

export interface Surface {
	/** Types of the package that a signature mentions and the entry point does not export, and where. */
	unexported: string[];
	/** Links of docstrings that lead to nothing that is exported. */
	deadLinks: string[];
	/** Exports, methods and members of classes without a docstring. */
	undocumented: string[];
	/** How many declarations were looked at. */
	seen: number;
}

/**
 * Walks the declarations of an entry point.
 *
 * @param root the package's folder: what is declared elsewhere need not be exported
 */
export function surfaceOf(root: string, entry: string): Surface {
	const program = ts.createProgram([entry], {
		module: ts.ModuleKind.NodeNext,
		moduleResolution: ts.ModuleResolutionKind.NodeNext,
		target: ts.ScriptTarget.ES2022,
		types: ['node'],
		skipLibCheck: true,
	});
	return new Walk(program.getTypeChecker(), root).of(program.getSourceFile(entry));
}

class Walk {
	readonly #checker: ts.TypeChecker;
	readonly #root: string;
	readonly #exported = new Set<ts.Symbol>();
	readonly #found = {unexported: new Set<string>(), deadLinks: new Set<string>(), undocumented: new Set<string>()};
	#seen = 0;

	constructor(checker: ts.TypeChecker, root: string) {
		this.#checker = checker;
		this.#root = root;
	}

	of(file: ts.SourceFile | undefined): Surface {
		const module = file && this.#checker.getSymbolAtLocation(file);
		if (!module) throw new Error(`The entry point has no exports.`);
		const symbols = this.#checker.getExportsOfModule(module).map((symbol) => this.#target(symbol));
		for (const symbol of symbols) this.#exported.add(symbol);
		for (const symbol of symbols) {
			for (const declaration of symbol.declarations ?? []) this.#visit(declaration, symbol.name);
			this.#requireDocs(symbol, symbol.name);
		}
		const [unexported, deadLinks, undocumented] = Object.values(this.#found).map((lines) => [...lines].sort());
		return {unexported, deadLinks, undocumented, seen: this.#seen} as Surface;
	}

	#target(symbol: ts.Symbol): ts.Symbol {
		return symbol.flags & ts.SymbolFlags.Alias ? this.#checker.getAliasedSymbol(symbol) : symbol;
	}

	#visit(node: ts.Node, where: string): void {
		if (isHidden(node)) return;
		const place = nameOf(node) === undefined || where === nameOf(node) ? where : `${where}.${nameOf(node) ?? ''}`;
		++this.#seen;
		for (const name of referencesIn(node)) this.#mention(name, place);
		for (const link of linksOf(node)) this.#follow(link, place);
		node.forEachChild((child) => this.#visit(child, place));
	}

	#mention(name: ts.Node, place: string): void {
		const found = this.#checker.getSymbolAtLocation(name);
		const symbol = found && this.#target(found);
		if (!symbol || this.#exported.has(symbol) || !this.#isOurs(symbol)) return;
		this.#found.unexported.add(`${symbol.name}, which ${place} mentions`);
	}

	/** Of the package, and nothing's own: neither a type parameter nor a member of what is exported. */
	#isOurs(symbol: ts.Symbol): boolean {
		if (symbol.flags & ts.SymbolFlags.TypeParameter) return false;
		const [declaration] = symbol.declarations ?? [];
		return declaration?.getSourceFile().fileName.startsWith(this.#root) === true;
	}

	#follow(link: ts.JSDocLink, place: string): void {
		const found = link.name && this.#checker.getSymbolAtLocation(link.name);
		const symbol = found && this.#target(found);
		const parent = symbol && (symbol as ts.Symbol & {parent?: ts.Symbol}).parent;
		// A name that means its own declaration to the compiler was meant to lead elsewhere.
		const isOwn = symbol?.declarations?.some((declaration) => declaration === link.parent.parent) === true;
		const leads = !isOwn && symbol && (this.#exported.has(symbol) || (parent && this.#exported.has(parent)));
		if (!leads) this.#found.deadLinks.add(`${link.name?.getText() ?? link.text} of ${place}`);
	}

	/** Fields of plain data may speak for themselves. */
	#requireDocs(symbol: ts.Symbol, place: string): void {
		const require = (own: ts.Symbol, name: string): void => {
			if (own.getDocumentationComment(this.#checker).length === 0) this.#found.undocumented.add(name);
		};
		require(symbol, place);
		for (const declaration of symbol.declarations ?? []) {
			if (!ts.isInterfaceDeclaration(declaration) && !ts.isClassDeclaration(declaration)) continue;
			for (const member of declaration.members) {
				const isData = ts.isPropertySignature(member) || isHidden(member);
				const own = member.name && !isData && this.#checker.getSymbolAtLocation(member.name);
				if (own) require(own, `${place}.${member.name.getText()}`);
			}
		}
	}
}

/** Private members have no types in declarations. */
function isHidden(node: ts.Node): boolean {
	const isPrivate =
		ts.canHaveModifiers(node) && ts.getModifiers(node)?.some(({kind}) => kind === ts.SyntaxKind.PrivateKeyword);
	return isPrivate === true || (ts.isPropertyDeclaration(node) && ts.isPrivateIdentifier(node.name));
}

function nameOf(node: ts.Node): string | undefined {
	const {name} = node as Partial<ts.NamedDeclaration>;
	return name && ts.isIdentifier(name) && !ts.isParameter(node) && !ts.isTypeParameterDeclaration(node)
		? name.text
		: undefined;
}

/** The names by which a node refers to types, or to values whose type is meant. */
function referencesIn(node: ts.Node): ts.Node[] {
	if (ts.isTypeReferenceNode(node)) return [node.typeName];
	if (ts.isExpressionWithTypeArguments(node)) return [node.expression];
	if (ts.isTypeQueryNode(node)) return [node.exprName];
	if (ts.isImportTypeNode(node)) return [node.qualifier ?? node];
	return [];
}

function linksOf(node: ts.Node): ts.JSDocLink[] {
	const comments = ts.getJSDocCommentsAndTags(node).map(({comment}) => comment);
	const parts = comments.flatMap((comment) =>
		comment === undefined || typeof comment === 'string' ? [] : [...comment],
	);
	return parts.filter((part) => ts.isJSDocLink(part));
}
