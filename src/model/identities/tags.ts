/**
 * Tags of principals and of their sessions. Their names are compared whatever their case, as
 * policies read them: no principal has two that differ in nothing else.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_rules_creating
 */

type Tags = ReadonlyMap<string, string>

/** Tags with others added, each in the place of the one of its name. */
export function tagsWith(tags: Tags, more: Tags): Tags {
  return new Map([...tagsWithout(tags, [...more.keys()]), ...more])
}

/** Tags without those of these names. */
export function tagsWithout(tags: Tags, names: readonly string[]): Tags {
  const folded = new Set(names.map((name) => name.toLowerCase()))
  return new Map([...tags].filter(([name]) => !folded.has(name.toLowerCase())))
}
