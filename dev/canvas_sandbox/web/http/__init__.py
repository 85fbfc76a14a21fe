"""HTTP without Canvas's data: requests, responses, parameters, pagination, multipart bodies."""
