/** What each step of a filter takes, in nanoseconds or so, and how much a payload of a size allows. */

/** One look at a condition, at a member by its name, at a list and its elements, at texts and places in them. */
export const conditionCost = 7
export const memberCost = 11
export const lookCost = 20
export const listCost = 20
export const exactCost = 30
export const edgeCost = 40
export const elementCost = 2
export const textCost = 9
export const candidateCost = 18
export const charCost = 4
/** By shifts, so that what is left stays a whole number: characters that are looked through for one letter, or hashed. */
export const searchedShift = 5
export const hashedShift = 2
export const comparedShift = 1

/** 20 µs for 10 kB, and some for those that are small. */
const costPerByte = 1.4
const leastAllowance = 4000

/** What is left to pay with. */
export interface Meter {
  left: number
}

export function createMeter(payloadBytes: number): Meter {
  return { left: Math.max(leastAllowance, Math.ceil(payloadBytes * costPerByte)) }
}

/** False: the meter is spent. */
export function pays(meter: Meter, cost: number): boolean {
  meter.left -= cost
  return meter.left >= 0
}
