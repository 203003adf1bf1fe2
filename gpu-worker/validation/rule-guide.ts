/** What a rule is about and what to do where it is broken, for a reader who knows neither. */
export interface RuleGuide {
  readonly about: string
  readonly hint: string
}

const guides: Readonly<Record<string, RuleGuide>> = {
  syntax: { about: 'The file parses', hint: 'Mend the place that is named; what follows is often its echo' },
  line_limit: {
    about: 'A file is short enough to be written whole',
    hint: 'Move what belongs together to files of its own, or set another limit for these files',
  },
  forbidden_pattern: {
    about: 'No line holds what the repository does not want',
    hint: 'Do what the message says instead',
  },
  secrets: {
    about: 'No key, token or password stands in a file',
    hint: 'Take it out, make it invalid where it was published, and read it from the environment',
  },
  missing_docs: {
    about: 'What others may use is documented',
    hint: 'Say in a comment what it does and what to look out for',
  },
  function_length: { about: 'A function fits on a page', hint: 'Move parts with a purpose of their own to functions' },
  complexity: {
    about: 'A function can be followed and tested',
    hint: 'Return early, and move branches and loops to functions with a name',
  },
  naming: { about: 'Names are written as the repository writes them', hint: 'Rename it, with all that uses it' },
  missing_tests: {
    about: 'Files of code have a test',
    hint: 'Write a test at one of the places that are named, or except the file in millwright.json',
  },
  missing_readmes: {
    about: 'Folders that somebody enters have a README',
    hint: 'Write a README that says what is there and how it is used',
  },
  ownership: {
    about: 'The file of each agent is there, and nobody else’s',
    hint: 'Mend or delete the agent that is named',
  },
  configuration: { about: 'millwright.json is right', hint: 'A person has to mend millwright.json' },
}

/** Null for a rule that nobody has described. */
export const ruleGuide = (rule: string): RuleGuide | null => guides[rule] ?? null
