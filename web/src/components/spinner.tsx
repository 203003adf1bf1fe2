import './spinner.css'

/** Something goes on. Says nothing to a screen reader: whoever shows it says what. */
export const Spinner = () => <span className="spinner" aria-hidden="true" />
