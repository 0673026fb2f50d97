/** Cells of the figures in one value: pairs of 32-bit numbers, a cell and how often. */
export interface CountedCell {
  readonly cell: number
  readonly times: number
}

export function packCells(cells: ReadonlyMap<number, number>): Uint8Array {
  const bytes = new Uint8Array(8 * cells.size)
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const [cell, times] of cells) {
    view.setUint32(at, cell)
    view.setUint32(at + 4, times)
    at += 8
  }
  return bytes
}

export function unpackCells(bytes: Readonly<Uint8Array>): readonly CountedCell[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.byteLength / 8 }, (_, index) => ({
    cell: view.getUint32(8 * index),
    times: view.getUint32(8 * index + 4),
  }))
}
