// A front end's client, in strict TypeScript: not one cast, and the shape of every answer
// is known.
import createClient from "openapi-fetch"

import type { components, paths } from "./glossary.js"

type Schemas = components["schemas"]
type Term = Schemas["TermDocument"]
type Problem = Schemas["GlossaryProblem"]

export interface Reading {
  term: string[]
  list: string[]
  found: string[]
  changed: string[]
  problem: string
}

export async function read(baseUrl: string, slug: string): Promise<Reading> {
  const api = createClient<paths>({ baseUrl })

  const term = await api.GET("/terms/by-slug/{slug}/", {
    params: { path: { slug }, query: { rich_text: "plain", include: ["backlinks"] } },
  })
  const list = await api.GET("/terms/", {
    params: { query: { order: "-title", limit: 10, fields: "*", tag: ["Data"] } },
  })
  const search = await api.GET("/search/", {
    params: { query: { q: "numbers", facets: ["category", "letter"] } },
  })
  const feed = await api.GET("/changes/", {
    params: { query: { afterChangeNumber: 0 } },
  })
  const refused = await api.GET("/terms/by-slug/{slug}/", {
    params: { path: { slug: "nothing" } },
  })

  const { data: found } = search
  return {
    term: term.data ? lines(term.data) : [],
    list: (list.data?.items ?? []).map(
      ({ id, meta, title }) => `${id} ${meta.slug ?? ""} ${title ?? ""}`,
    ),
    found: [
      ...(found?.items ?? []).map((hit) => `${hit.title}: ${hit.highlights.length}`),
      ...(found?.facets.letter ?? []).map((facet) => `${facet.value} ${facet.count}`),
    ],
    changed: (feed.data?.items ?? []).map(told),
    problem: refused.error ? reason(refused.error) : "",
  }
}

function lines(term: Term): string[] {
  return [
    term.title,
    term.category?.name ?? "",
    ...term.explanation.map(({ value }) => `${value.heading}: ${value.body}`),
    ...term.comparisons.map(({ value }) => value.related_term?.slug ?? value.name),
    ...term.faq.map(({ value }) => `${value.question} ${value.answer}`),
    ...term.related_features.map(({ value }) => value.label),
    ...term.related_terms.map(({ kind, related_term }) => `${kind} ${related_term.name}`),
    ...term.labels.map(({ text, kind }) => `${kind} ${text}`),
    ...(term.backlinks ?? []).map(({ title }) => title),
  ]
}

function told(change: Schemas["GlossaryChanges"]["items"][number]): string {
  return change.state === "updated" && change.kind === "term"
    ? `${change.kind} ${change.data.title}`
    : `${change.kind} ${change.id} ${change.state}`
}

function reason(problem: Problem): string {
  return `${problem.status} ${problem.type}`
}
