// Measures the classes and functions of a folder of JavaScript: a JSON list of what sizes.py calls a
// Size. An attribute is a field that is declared, or assigned on `this` in a method.
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [compiler, folder] = process.argv.slice(2);
const ts = createRequire(import.meta.url)(compiler);

const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".js"));
const sizes = files.sort().flatMap((file) => {
  const text = readFileSync(join(folder, file), "utf8");
  return sizesIn(file, ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS));
});
process.stdout.write(JSON.stringify(sizes));

function sizesIn(file, source) {
  const lineAt = (position) => source.getLineAndCharacterOfPosition(position).line + 1;
  const found = [];
  const visit = (node) => {
    const isFunction = ts.isFunctionLike(node) && node.body !== undefined;
    if (ts.isClassLike(node) || isFunction) {
      const first = lineAt(node.getStart());
      const attributes = isFunction ? null : attributesOf(node).size;
      const lines = lineAt(node.end) - first + 1;
      found.push({ place: `${file}:${first}`, name: nameOf(node), lines, attributes });
    }
    node.forEachChild(visit);
  };
  visit(source);
  return found;
}

function nameOf(node) {
  if (ts.isConstructorDeclaration(node)) return "constructor";
  return (node.name ?? node.parent?.name)?.getText() ?? "one without a name";
}

function attributesOf(cls) {
  const isStatic = (member) => (ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Static) !== 0;
  const members = cls.members.filter((member) => !isStatic(member));
  const declared = members.filter(ts.isPropertyDeclaration).map((member) => member.name.getText());
  return new Set([...declared, ...members.flatMap(assignedIn)]);
}

/** On `this`, where it is the object of the class. */
function assignedIn(member) {
  const found = [];
  const visit = (node) => {
    // These have a `this` of their own.
    if (ts.isClassLike(node) || ts.isFunctionDeclaration(node) || ts.isFunctionExpression(node)) return;
    if (ts.isPropertyAccessExpression(node) && node.expression.kind === ts.SyntaxKind.ThisKeyword) {
      if (isTarget(node)) found.push(node.name.getText());
    }
    node.forEachChild(visit);
  };
  member.forEachChild(visit);
  return found;
}

/** Whether something is assigned to it: with an operator, or by taking a list or an object apart. */
function isTarget(node) {
  const { parent } = node;
  if (ts.isBinaryExpression(parent) && parent.left === node) {
    const { kind } = parent.operatorToken;
    return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
  }
  if (ts.isArrayLiteralExpression(parent)) return isTarget(parent);
  if (ts.isPropertyAssignment(parent) && parent.initializer === node) return isTarget(parent.parent);
  return false;
}
