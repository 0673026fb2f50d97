/**
 * Flags of a Node.js that runs the TypeScript sources in more than one thread. Stripping types is WebAssembly, in each
 * thread, and V8 13.6 crashed where one thread freed the generic wrapper of an import that another one replaced: SIGTRAP
 * in `ThreadIsolation::UnregisterWasmAllocation`, or SIGSEGV (nodejs/node#64500 is of the same family). Without such
 * wrappers nothing is replaced. The compiled program has no WebAssembly in the store's threads.
 */
export const sourceFlags: readonly string[] = ['--no-wasm-generic-wrapper']
