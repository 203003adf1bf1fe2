import { type Improvement, type ImprovementPorts, improveFile } from '../improvement/improve.ts'
import type { ImproveStep, StepTask } from './run.ts'

/** Does a step as the tool of its action would. */
export function createImproveStep(ports: Omit<ImprovementPorts, 'model'>): ImproveStep {
  return ({ path, agent, goal, stepId, model, ...task }, options) =>
    improveFile(
      {
        improvement: toImprovement({ goal, ...task }),
        path,
        agent: goal === null ? agent : { ...agent, system_prompt: `${agent.system_prompt}\nWhat this is for: ${goal}` },
        history: [],
        jobId: stepId,
        // A step's id is its own, and no job of the registry: what came of the step is all that is found under it.
        endsJob: true,
      },
      { ...ports, model },
      options,
    )
}

type Asked = Pick<StepTask, 'action' | 'why' | 'goal'>

function toImprovement({ action, why, goal }: Asked): Improvement {
  switch (action) {
    case 'refactor_code':
      return { action, goal: goal === null ? why : `${goal}\n${why}` }
    case 'generate_documentation':
      return { action, kind: 'docstrings' }
    case 'generate_tests':
      return { action }
    case 'optimize_performance':
      return { action, measure: null }
  }
}
