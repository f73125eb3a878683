-- How many tokens did which team spend on which model?
SELECT tenant, team, model, provider, count(*) AS exchanges,
    CAST(sum(input_tokens) AS bigint) AS input_tokens, CAST(sum(output_tokens) AS bigint) AS output_tokens
FROM exchange
WHERE opened_ms >= :since_ms AND opened_ms < :until_ms AND (:tenant = '' OR tenant = :tenant)
GROUP BY tenant, team, model, provider
ORDER BY tenant, team, model, provider
