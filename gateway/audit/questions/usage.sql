-- How many tokens did which team spend on which model?
-- Of exchanges that have ended. Clocks may differ by a day: no older month is read.
SELECT tenant, team, model, provider, count(*) AS exchanges,
    CAST(sum(input_tokens) AS bigint) AS input_tokens, CAST(sum(output_tokens) AS bigint) AS output_tokens
FROM exchange
WHERE closed_ms >= :since_ms - 86400000
    AND opened_ms >= :since_ms AND opened_ms < :until_ms AND (:tenant = '' OR tenant = :tenant)
GROUP BY tenant, team, model, provider
ORDER BY tenant, team, model, provider
