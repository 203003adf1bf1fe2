interface FieldMarkProps {
  /** As the schema calls it, shown where the label is another. */
  readonly name: string
  readonly isRequired: boolean
}

/** Whether a value must be given, and what it is called in JSON. */
export const FieldMark = ({ name, isRequired }: FieldMarkProps) => (
  <span className="field-mark" aria-hidden="true">
    {isRequired && <span className="field-required">required</span>}
    {name.includes('_') && <code>{name}</code>}
  </span>
)
