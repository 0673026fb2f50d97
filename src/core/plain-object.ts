/**
 * Whether an object is one whose members are all that it is, unlike a `Map`, `Headers` or an instance of a class: these
 * look empty to whoever reads members.
 */
export function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null || prototype === Object.prototype) return true
  // Made in another context of `node:vm`, whose `Object` is another.
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf')
}
