/** Bytes that travelled as text, compressed, and by planes. */

export function joinPlanes(bytes, cells) {
  if (bytes.length === cells) return bytes;
  const codes = new Uint16Array(cells);
  for (let i = 0; i < cells; i++) codes[i] = (bytes[i] << 8) | bytes[cells + i];
  return codes;
}

export function bytesOfText(text) {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}

export async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
