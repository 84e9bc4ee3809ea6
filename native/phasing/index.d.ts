/** The generated binding. Internal: domain packages reach it through their `src/native.ts` only. */
declare const binding: typeof import("./binding.js");
export default binding;
export type * from "./binding.js";
