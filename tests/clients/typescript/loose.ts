// What a type leaves open: the compiler refuses this file if there is an `unknown` or an
// `any` anywhere in one of ours.
import type { components } from "./glossary.js"

type IsLoose<T> = unknown extends T
  ? true
  : T extends readonly (infer Item)[]
    ? IsLoose<Item>
    : T extends object
      ? { [Key in keyof T]-?: IsLoose<T[Key]> }[keyof T]
      : false

type IsClosed<T> = [IsLoose<T>] extends [false] ? true : false

export const noneIsLoose: IsClosed<components["schemas"]> = true

// It does find them.
export const finds: IsClosed<{ a: { b: unknown }[] }> = false
export const findsMore: IsClosed<{ a?: { [name: string]: object | unknown } }> = false
