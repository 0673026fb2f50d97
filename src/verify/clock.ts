/** Whole seconds since the epoch, of the receiver's own clock. */
export function currentSeconds(): number {
  return Math.floor(Date.now() / 1000)
}
