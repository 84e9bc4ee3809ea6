export * from "./arrow.ts";
export * from "./base.ts";
export * from "./schemas.ts";
export * from "./vectors.ts";
