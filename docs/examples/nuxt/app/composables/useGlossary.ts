import type { paths } from "#shared/types/glossary"

/** The paths of the API that can be read. */
type Readable = {
  [Path in keyof paths]: paths[Path] extends { get: object } ? Path : never
}[keyof paths]

type Operation<Path extends Readable> = paths[Path]["get"]

type Answer<Path extends Readable> =
  Operation<Path> extends {
    responses: { 200: { content: { "application/json": infer Data } } }
  }
    ? Data
    : never

interface Asked<Path extends Readable> {
  /** What stands in the path, such as the slug of a term. */
  path?: Record<string, string | number>
  query: NonNullable<Operation<Path>["parameters"]["query"]>
}

/**
 * Read from the glossary's API: a typed `useFetch`, which asks again when what is asked
 * for changes.
 */
export function useGlossary<Path extends Readable>(path: Path, asked: () => Asked<Path>) {
  const url = () =>
    path.replace(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(asked().path?.[name] ?? ""),
    )
  return useFetch<Answer<Path>>(url, {
    baseURL: useRuntimeConfig().public.glossaryApi,
    query: computed(() => asked().query),
  })
}
