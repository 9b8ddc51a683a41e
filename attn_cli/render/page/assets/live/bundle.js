/** A model as it travels in a page: a header that names its tensors, and their numbers one after the other. */

import { matrix } from "./products.js";

/** The tensors by name, as forward.js takes them; vectors have one row. */
export function tensorsOf(header, bytes) {
  const numbers = header.store === "f2" ? fromHalves(bytes) : new Float32Array(bytes.buffer);
  let at = 0;
  return new Map(
    header.tensors.map(([name, ...shape]) => {
      const [rows, columns] = shape.length === 1 ? [1, shape[0]] : shape;
      at += rows * columns;
      return [name, matrix(rows, columns, numbers.subarray(at - rows * columns, at))];
    }),
  );
}

/** 16-bit floats (IEEE 754 binary16) as 32-bit ones: each of the 65,536 is worked out once. */
function fromHalves(bytes) {
  const table = Float32Array.from({ length: 65536 }, (_, code) => half(code));
  const codes = new Uint16Array(bytes.buffer);
  const numbers = new Float32Array(codes.length);
  for (let i = 0; i < codes.length; i++) numbers[i] = table[codes[i]];
  return numbers;
}

function half(code) {
  const [sign, exponent, fraction] = [code & 0x8000 ? -1 : 1, (code >> 10) & 31, code & 1023];
  if (exponent === 0) return sign * 2 ** -14 * (fraction / 1024);
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * 2 ** (exponent - 15) * (1 + fraction / 1024);
}

export function fromBase64(text) {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}
