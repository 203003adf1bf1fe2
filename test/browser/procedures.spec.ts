import { test } from './fixtures.ts'
import { procedures } from './procedures/procedures.ts'

// The user's procedures A to D, each on a page of its own, in one repository.

for (const { name, steps } of Object.values(procedures)) {
  test(`procedure: ${name}`, async ({ page, world, complaints, look }) => {
    const { stack, repository, privateKey } = world
    for (const { title, run } of steps) {
      await test.step(title, () => run({ page, complaints, stack, repository, privateKey }))
    }
    await look(`procedure-${name.toLowerCase().replaceAll(' ', '-')}`)
  })
}
