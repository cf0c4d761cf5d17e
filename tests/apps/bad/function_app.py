"""An app that the host must refuse: one binding name has an underscore."""

import azure.durable_functions as df

app = df.DFApp()


@app.activity_trigger(input_name="my_input")
def work(my_input: str) -> str:
    """The worker accepts the name, the host does not."""
    return my_input
