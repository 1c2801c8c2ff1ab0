// The distinct subtrees of a tree, as `/api/trees/{id}/shapes` tells them, with what each comes to.

/**
 * @typedef {[string, number[] | null, string, boolean?]} TensorAnswer
 * @typedef {{class: string, extra_repr: string, parameters: TensorAnswer[], buffers: TensorAnswer[],
 *   children: [string, number][], module?: string, none?: string[], inferred?: boolean}} ShapeAnswer
 * @typedef {{kind: string, rows: number[], names?: string[]}} Sharing
 * @typedef {{shapes: ShapeAnswer[], root: number, bits: Record<string, number>, shared: Sharing[],
 *   frozen?: [number, number][], eval?: [number, number][], no_grad?: [number, number][]}} ShapesAnswer
 */

/**
 * A parameter or buffer of a shape's own.
 * @typedef {{name: string, shape: number[] | null, dtype: string, numel: number, numBytes: number, isBuffer: boolean,
 *   isPersistent: boolean}} Tensor
 */

/**
 * Children that follow each other with names that count up and one shape. `position` is that of the first among the
 * children, `row` counts places from the module on, `parameter` and `buffer` count entries from its first.
 * @typedef {{prefix: string, number: string, shape: number, count: number, position: number, row: number,
 *   parameter: number, buffer: number, elements: number}} Entry
 */

/**
 * What begins with `num` counts each place, what is shared too; `entries` are the children.
 * @typedef {{number: number, class: string, module: string, extra_repr: string, isInferred: boolean,
 *   parameters: Tensor[], buffers: Tensor[], none: string[], entries: Entry[], size: number, height: number,
 *   numChildren: number, numParameters: number, numBuffers: number, numBytes: number, parameterEntries: number,
 *   bufferEntries: number, ownParameters: number, ownBuffers: number, ownBytes: number}} Shape
 */

const RANGE = "..";
const NUMBERED = /^([\s\S]*?)(0|[1-9][0-9]{0,17})$/;

/**
 * @param {string} name
 * @returns {{prefix: string, number: string} | null} "sub12" is "sub" and "12"
 */
export function numbered(name) {
  const found = NUMBERED.exec(name);
  return found ? { prefix: found[1] ?? "", number: found[2] ?? "" } : null;
}

/**
 * @param {Entry} entry
 * @param {number} at from 0
 * @returns {string} the name of one of the entry's children
 */
export function nameAt(entry, at) {
  if (!entry.number) return entry.prefix;
  return entry.prefix + (entry.number.length < 15 ? String(Number(entry.number) + at) : String(BigInt(entry.number) + BigInt(at)));
}

/** @param {string} text "sub1..sub10", or one name */
function namesOf(text) {
  const at = text.indexOf(RANGE);
  const [first, last] = at < 0 ? [null, null] : [numbered(text.slice(0, at)), numbered(text.slice(at + RANGE.length))];
  if (!first || !last) return { prefix: text, number: "", count: 1 };
  return { ...first, count: Number(BigInt(last.number) - BigInt(first.number)) + 1 };
}

/**
 * @param {TensorAnswer} answer
 * @param {boolean} isBuffer
 * @param {Record<string, number>} bits
 * @returns {Tensor}
 */
function tensorOf([name, shape, dtype, isPersistent = true], isBuffer, bits) {
  const numel = shape ? shape.reduce((product, size) => product * size, 1) : 0;
  const numBytes = Math.ceil((numel * (bits[dtype] ?? 0)) / 8);
  return { name, shape, dtype, numel, numBytes, isBuffer, isPersistent };
}

/** @param {number[]} numbers */
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

/**
 * @param {ShapesAnswer} answer
 * @returns {Shape[]} by number; a shape's children are complete before it is added up
 */
export function shapesOf(answer) {
  let module = "";
  const shapes = answer.shapes.map((each, number) => {
    module = each.module ?? module;
    return ownOf(each, number, module, answer.bits);
  });
  for (const number of fromLeaves(answer)) addUp(/** @type {Shape} */ (shapes[number]), answer, shapes);
  return shapes;
}

/**
 * @param {ShapeAnswer} answer
 * @param {number} number
 * @param {string} module
 * @param {Record<string, number>} bits
 * @returns {Shape} with nothing of its children yet
 */
function ownOf(answer, number, module, bits) {
  const parameters = answer.parameters.map((each) => tensorOf(each, false, bits));
  const buffers = answer.buffers.map((each) => tensorOf(each, true, bits));
  const [ownParameters, ownBuffers] = [sum(parameters.map((each) => each.numel)), sum(buffers.map((each) => each.numel))];
  const ownBytes = sum([...parameters, ...buffers].map((each) => each.numBytes));
  return {
    number, class: answer.class, module, extra_repr: answer.extra_repr, isInferred: answer.inferred ?? false,
    parameters, buffers, none: answer.none ?? [], entries: [], size: 1, height: 0, numChildren: 0,
    numParameters: ownParameters, numBuffers: ownBuffers, numBytes: ownBytes,
    parameterEntries: parameters.length, bufferEntries: buffers.length, ownParameters, ownBuffers, ownBytes,
  };
}

/**
 * @param {ShapesAnswer} answer
 * @returns {number[]} the numbers of all shapes, each after those of its children
 */
function fromLeaves(answer) {
  const seen = new Uint8Array(answer.shapes.length);
  /** @type {number[]} */
  const ordered = [];
  const todo = [answer.root];
  while (todo.length) {
    const number = /** @type {number} */ (todo.pop());
    if (number < 0) ordered.push(~number);
    else if (!seen[number]) {
      seen[number] = 1;
      todo.push(~number);
      for (const [, child] of answer.shapes[number]?.children ?? []) todo.push(child);
    }
  }
  return ordered;
}

/**
 * @param {Shape} shape
 * @param {ShapesAnswer} answer
 * @param {Shape[]} shapes
 */
function addUp(shape, answer, shapes) {
  for (const [text, number] of answer.shapes[shape.number]?.children ?? []) {
    const child = /** @type {Shape} */ (shapes[number]);
    const names = namesOf(text);
    shape.entries.push({
      ...names, shape: number, position: shape.numChildren, row: shape.size,
      parameter: shape.parameterEntries, buffer: shape.bufferEntries, elements: shape.numParameters,
    });
    shape.numChildren += names.count;
    shape.size += names.count * child.size;
    shape.height = Math.max(shape.height, child.height + 1);
    shape.numParameters += names.count * child.numParameters;
    shape.numBuffers += names.count * child.numBuffers;
    shape.numBytes += names.count * child.numBytes;
    shape.parameterEntries += names.count * child.parameterEntries;
    shape.bufferEntries += names.count * child.bufferEntries;
  }
}
