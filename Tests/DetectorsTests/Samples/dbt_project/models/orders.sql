select id, customer, amount, state from {{ ref('raw_orders') }}
