import { type ChatWorld, fenced, startChatWorld } from './chat-world.ts'

const MODELS = `from dataclasses import dataclass, field


@dataclass(frozen=True)
class Product:
    """Something that the shop sells. The price is in cents."""

    sku: str
    name: str
    price: int


@dataclass
class Order:
    """What one customer has put into the cart."""

    customer: str
    products: list[Product] = field(default_factory=list)

    def total(self) -> int:
        """The sum of all prices, in cents."""
        return sum(product.price for product in self.products)
`

const CART = `from shop.models import Order, Product


def add(order: Order, product: Product) -> None:
    """Put a product into the order."""
    order.products.append(product)


def remove(order: Order, sku: str) -> None:
    """Take every product with this number out again."""
    for product in order.products:
        if product.sku == sku:
            order.products.remove(product)


def discount(order: Order, percent: int) -> int:
    """The total less a discount, in cents."""
    return order.total() - order.total() * percent / 100
`

const CART_AFTER = `from shop.models import Order, Product


def add(order: Order, product: Product) -> None:
    """Put a product into the order."""
    order.products.append(product)


def remove(order: Order, sku: str) -> None:
    """Take every product with this number out again."""
    order.products = [product for product in order.products if product.sku != sku]


def discount(order: Order, percent: int) -> int:
    """The total less a discount, in whole cents; percent is from 0 to 100."""
    if not 0 <= percent <= 100:
        raise ValueError(f"Not a percentage: {percent}")
    return order.total() - order.total() * percent // 100
`

const SHIPPING = `def cost(weight, zone, express, insured):
    """What it costs to send a parcel, in cents."""
    price = 0
    if zone == "home":
        if weight < 1000:
            price = 390
        elif weight < 5000:
            price = 590
        else:
            price = 990
    elif zone == "union":
        if weight < 1000:
            price = 890
        elif weight < 5000:
            price = 1490
        else:
            price = 2490
    if express:
        if zone != "home" and weight > 5000:
            raise ValueError("Too heavy for express")
        price *= 2
    if insured and price > 0:
        price += 250
    return price
`

const files = {
  'README.md': '# Shop\n\nA small shop, as an example.\n\n- `shop/` the program\n- `tests/` its tests\n',
  'pyproject.toml': '[project]\nname = "shop"\nversion = "0.3.0"\n',
  'shop/__init__.py': '"""A small shop."""\n',
  'shop/models.py': MODELS,
  'shop/cart.py': CART,
  'shop/shipping.py': SHIPPING,
  'shop/invoice.py': 'def lines(order):\n    return [f"{p.name}: {p.price}" for p in order.products]\n',
  'tests/test_cart.py':
    'from shop.cart import add\nfrom shop.models import Order, Product\n\n\ndef test_add():\n    order = Order("Ann")\n    add(order, Product("a1", "Pen", 120))\n    assert order.total() == 120\n',
  'docs/prices.md': '# Prices\n\nAll prices are in cents.\n',
}

const agents = [
  ['cart', 'Writes the cart', 'shop/cart.py'],
  ['invoice', 'Writes invoices', 'shop/invoice.py'],
  ['models', 'Keeps the data model', 'shop/models.py'],
  ['shipping', 'Knows what sending costs', 'shop/shipping.py'],
  ['cart_tests', 'Tests the cart', 'tests/test_cart.py'],
  ['price_page', 'Describes the prices', 'docs/prices.md'],
] as const

/**
 * A repository at work: six agents, of whom two have changed their files by tasks, one was asked a question and one made a
 * proposal; the validations have been run, for findings and for the score. Only the model is a double.
 */
export async function startShopWorld(): Promise<ChatWorld> {
  const world = await startChatWorld(files)
  try {
    for (const [agent_id, name, managed_file] of agents) {
      const system_prompt = 'You write short, typed Python with docstrings.'
      await world.client.ok('create_agent', { agent_id, name, managed_file, system_prompt })
    }
    world.answer('Check the percentage', fenced('shop/cart.py', CART_AFTER))
    world.answer('Name the currency', fenced('docs/prices.md', '# Prices\n\nAll prices are in euro cents.\n'))
    world.answer('What does remove do', 'It takes every product with that number out of the order.')
    const documented = `"""Invoices."""\n\n\ndef lines(order):\n    """One line for each product."""\n    return [f"{p.name}: {p.price}" for p in order.products]\n`
    world.answer('Add docstrings', fenced('shop/invoice.py', documented))
    const ask = (agent_id: string, message: string, mode: string, context = {}) =>
      world.client.ok('chat_with_agent', { agent_id, message, mode, context })
    await ask('cart', 'What does remove do when a product is there twice?', 'ask')
    await ask('cart', 'Check the percentage of a discount, keep cents whole, and mend remove.', 'edit', {
      models: 'shop/models.py',
    })
    await ask('price_page', 'Name the currency.', 'edit')
    await ask('invoice', 'Add docstrings.', 'propose')
    await world.client.ok('run_all_validations', {})
    await world.client.ok('check_compliance', {})
    return world
  } catch (error) {
    await world.stop()
    throw error
  }
}
