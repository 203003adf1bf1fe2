/** Enough to recognise a task by. */
const TITLE_CHARACTERS_MAX = 60

/** The first words of a task, on one line: by them a task is told of where its text would be too long. */
export function taskTitle(task: string): string {
  const [line = ''] = task.trim().split('\n', 1)
  return line.slice(0, TITLE_CHARACTERS_MAX).trim()
}
